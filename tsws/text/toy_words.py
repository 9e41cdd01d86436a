"""The words of the toy stories; ``toy_reader.py`` says how a table is read.

Words that may stand in the same place differ, so that a text tells which was drawn.
"""

from __future__ import annotations

from collections.abc import Iterable


def _people(names: str, kind: str, pronouns: Iterable[str]) -> str:
    rows = [f"{name.strip()} | {kind} | {' | '.join(pronouns)}" for name in names.split(",")]
    return "\n".join(["name | kind | he | him | his", *rows])


def _named_beasts(lines: str) -> str:
    """A row for every kind with each of its names: drawing one draws both."""
    rows = []
    for line in lines.strip().splitlines():
        kind, names, *others = (cell.strip() for cell in line.split("|"))
        rows += [" | ".join([name.strip(), kind, *others]) for name in names.split(",")]
    return "\n".join(["name | kind | home | food | kin | he | him | his", *rows])


_SHE = ("she", "her", "her")
_HE = ("he", "him", "his")

WORDS = {
    "girls": _people(
        "Alice, Amy, Anna, Bella, Beth, Betty, Carla, Clara, Daisy, Dora, Ella, Emily, Emma, Eva, Fay, Gina, Grace, Hanna, "
        "Heidi, Ivy, Jane, Jill, Julia, Kate, Kim, Laura, Leah, Lena, Lily, Lisa, Lucy, Mary, Maya, Mia, Molly, Nina, "
        "Nora, Olga, Polly, Rita, Rose, Ruby, Sara, Sophie, Sue, Tara, Tina, Vera, Wendy, Zoe",
        "girl",
        _SHE,
    ),
    "boys": _people(
        "Adam, Alex, Andy, Ben, Billy, Bob, Carl, Charlie, Dan, David, Eli, Eric, Felix, Finn, Fred, George, Greg, Henry, "
        "Hugo, Ian, Jack, Jake, Jim, Joe, John, Karl, Leo, Louis, Luke, Mark, Max, Mike, Nick, Noah, Oscar, Owen, Paul, "
        "Peter, Ray, Rob, Sam, Simon, Steve, Ted, Theo, Tim, Toby, Tom, Victor, Will",
        "boy",
        _HE,
    ),
    "pet_names": "Pip, Fluffy, Spot, Bobo, Momo, Nibbles, Whiskers, Hoppy, Sunny, Coco, Teddy, Biscuit, Pepper, Ginger, "
    "Lucky, Buddy, Misty, Oreo, Peanut, Pebble",
    "beasts": _named_beasts(
        """
        rabbit   | Hop, Fluffy, Nibbles, Clover   | a hole under the hill  | carrots | mama | she | her | her
        duck     | Daffy, Puddle, Feather, Dot    | the reeds by the pond  | bread   | mama | she | her | her
        mouse    | Squeak, Crumb, Minnie, Penny   | a hole in the old barn | cheese  | mama | she | her | her
        bee      | Buzzy, Honey, Bibi, Zuzu       | a busy hive            | pollen  | mama | she | her | her
        squirrel | Nutty, Hazel, Chip, Rusty      | a nest in the oak      | nuts    | mama | she | her | her
        kitten   | Whiskers, Mittens, Misty, Coco | a basket by the stove  | fish    | mama | she | her | her
        hen      | Henny, Goldie, Peck, Martha    | the red hen house      | corn    | mama | she | her | her
        bear     | Bruno, Benny, Barney, Teddy    | a warm cave            | berries | papa | he  | him | his
        frog     | Freddy, Croaky, Hopper, Ribbit | a green pond           | flies   | papa | he  | him | his
        fox      | Rex, Rufus, Foxy, Red          | a den in the woods     | eggs    | papa | he  | him | his
        turtle   | Shelly, Slow, Tubby, Tuck      | a hole in the sand     | leaves  | papa | he  | him | his
        hedgehog | Spike, Prickle, Needle, Harry  | a pile of dry leaves   | apples  | papa | he  | him | his
        puppy    | Spot, Buddy, Lucky, Biscuit    | a little wooden house  | bones   | papa | he  | him | his
        monkey   | Momo, Bobo, Kiki, Chico        | a tall palm tree | bananas | papa | he  | him | his
        elephant | Ellie, Trunky, Tumbo, Peanut   | a wide green valley    | grass   | papa | he  | him | his
        """
    ),
    "big_beasts": """
        kind   | strong           | he  | him | his
        lion   | sharp teeth      | he  | him | his
        bear   | big paws         | he  | him | his
        wolf   | a loud howl      | he  | him | his
        horse  | strong legs      | she | her | her
        cow    | a big bell       | she | her | her
        goat   | two long horns   | she | her | her
    """,
    "tiny_beasts": """
        kind      | he  | him | his
        ant       | he  | him | his
        mouse     | she | her | her
        beetle    | he  | him | his
        sparrow   | she | her | her
        ladybug   | she | her | her
        snail     | he  | him | his
        butterfly | she | her | her
    """,
    "parents": """
        kin     | name    | he  | him | his
        mom     | Mom     | she | her | her
        dad     | Dad     | he  | him | his
        grandma | Grandma | she | her | her
        grandpa | Grandpa | he  | him | his
    """,
    "elders": """
        kin          | he  | him | his
        mom          | she | her | her
        dad          | he  | him | his
        grandma      | she | her | her
        grandpa      | he  | him | his
        aunt         | she | her | her
        uncle        | he  | him | his
        big sister   | she | her | her
        big brother  | he  | him | his
        teacher      | she | her | her
    """,
    "finders": "dog, cat, squirrel, crow, owl, rabbit, goat, robin, hedgehog, parrot",
    "climbers": """
        beast    | way
        bird     | flew up
        monkey   | climbed up
        squirrel | ran up the trunk
        cat      | jumped from branch to branch
        owl      | opened its wings and rose
        giraffe  | stretched its long neck
    """,
    "hurt_beasts": """
        beast  | hurt          | food    | gift
        bird   | a broken wing | seeds   | a shiny feather
        kitten | a sore paw    | milk    | a soft purr
        puppy  | a cut leg     | meat    | a wet kiss
        rabbit | a bad foot    | carrots | a funny dance
        duck   | a hurt wing   | bread   | a big quack
        fawn   | a thorn in its leg | clover | a gentle nod
    """,
    "toys": "ball, doll, kite, drum, robot, puppet, balloon, scooter, whistle, teddy bear, toy car, toy boat, toy train, "
    "toy truck, toy plane, yellow duck, wooden horse, jump rope, yo-yo, puzzle",
    "treasures": "ring, hat, scarf, coin, shell, book, key, bell, marble, button, necklace, blanket, flashlight, "
    "feather, medal, watch, mitten, umbrella",
    "flyers": "kite, balloon, paper plane, hat, ball, frisbee, scarf, toy glider",
    "breakables": "vase, lamp, cup, plate, jar, bowl, mirror, clock, teapot, window",
    "colors": "red, blue, green, pink, purple, orange, white, brown, silver, golden",
    "looks": "shiny, pretty, soft, new, big, tiny, round, special, beautiful, old",
    "traits": "kind, brave, curious, clever, cheerful, gentle, quiet, funny, helpful, polite, playful, friendly",
    "glad": "happy, glad, proud, excited, joyful, thankful, pleased, relieved",
    "sorry": "sad, upset, worried, unhappy, gloomy, lonely",
    "afraid": "scared, afraid, nervous, frightened",
    "weather": "sunny, windy, cloudy, warm, bright, cold, quiet, lovely, foggy",
    "hair": "curly, straight, short, long, messy, dark, blond",
    "clothes": "hat, coat, sweater, dress, cap, jacket, pair of boots, raincoat, shirt",
    "pets": "dog, cat, rabbit, parrot, pony, hamster, goldfish, lizard",
    "snacks": "an apple, a banana, some nuts, a sandwich, a cookie, some cheese, a pear, warm milk, a carrot, some bread",
    "times": "morning, afternoon, day, evening",
    "hobbies": "play outside, sing songs, draw pictures, read books, dance, look at the stars, climb trees, ride bikes, "
    "build towers, pick flowers, jump in puddles, play with blocks, tell jokes, play hide and seek, chase butterflies, "
    "splash in the water, help in the kitchen, count clouds",
    "places": """
        place          | at
        the park       | in the park
        the beach      | at the beach
        the forest     | in the forest
        the farm       | on the farm
        the lake       | by the lake
        the zoo        | at the zoo
        the garden     | in the garden
        the playground | at the playground
        the river      | by the river
        the meadow     | in the meadow
        the library    | in the library
        the hill       | on the hill
    """,
    "wilds": """
        place      | at
        the park   | in the park
        the beach  | on the beach
        the forest | in the forest
        the farm   | on the farm
        the lake   | by the lake
        the garden | in the garden
        the river  | by the river
        the meadow | in the meadow
        the hill   | on the hill
        the field  | in the field
        the valley | in the valley
    """,
    "crowded": """
        place       | at
        the market  | at the market
        the fair    | at the fair
        the zoo     | at the zoo
        the mall    | in the mall
        the station | at the station
        the museum  | in the museum
        the circus  | at the circus
    """,
    "sights": "puppet show, juggler, pony, candy stand, parrot in a cage, street band, clown, merry-go-round, fountain",
    "hiding": "under the bed, behind the sofa, in the closet, under the table, in the toy box, behind the door, "
    "in the yard, under the stairs, in the kitchen, behind the curtain",
    "finds": "in the tall grass, under a bush, behind a rock, near the old tree, next to the fence, under a bench, "
    "in a pile of leaves, beside the path, in a bird's nest, by the well",
    "high": "in a tall tree, on the roof, on a high wall, on top of the shed, on a thin branch, on a tall lamp post",
    "sweets": "cookies, cakes, candies, muffins, pancakes, donuts, cherries, plums, grapes, ice creams",
    "stores": "grains, seeds, nuts, berries, roots, crumbs",
    "dishes": "soup, pie, salad, bread, pizza, jam, pudding, porridge, stew, pasta",
    "seeds": """
        seed      | grown
        sunflower | a tall sunflower
        pumpkin   | a huge orange pumpkin
        tomato    | a plant full of red tomatoes
        carrot    | a long crunchy carrot
        rose      | a sweet pink rose
        bean      | a bean plant as high as the house
        melon     | a round juicy melon
        apple     | a little apple tree
    """,
    "fears": """
        it            | do                      | did                    | truth
        the big slide | go down the slide       | slid down              | the slide was only fast and fun
        the dark      | turn off the light      | turned off the light   | the dark was just the day with its eyes shut
        the deep pool | jump into the water     | jumped into the water  | the water could hold a swimmer up
        the loud storm | look out of the window | looked out at the rain | thunder was only a big noise
        the old bridge | walk across the bridge | walked across          | the bridge was strong
        the huge dog  | pet the dog             | petted its soft head   | the dog only wanted a friend
        the first day of school | go into the class | went into the class | school was full of new friends
        the tall swing | sit on the swing       | swung up high          | the swing felt like flying
        the dentist   | see the dentist         | opened wide            | the dentist had gentle hands
        the stage     | sing for the people     | sang a song            | people like to clap
    """,
    "skills": """
        do                | trying                  | did                      | part
        ride a bike       | fell off the bike       | rode all around the yard | look ahead
        tie a shoe        | made a big knot         | tied both shoes          | make two loops
        swim              | got water in the nose   | swam across the pool     | kick with both legs
        whistle           | blew only air           | whistled a whole song    | make your lips round
        catch a ball      | dropped the ball        | caught ten balls         | watch the ball
        draw a horse      | drew a funny dog        | drew a fine horse        | start with the back
        skate             | slipped and sat down    | skated in a circle       | bend your knees
        bake bread        | burned the bread        | baked a golden bread     | wait for the clock
        write a name      | wrote the letters backwards | wrote the whole name | go slowly
        fly a kite        | let the string go       | flew the kite over the hill | run into the wind
        juggle            | hit the lamp            | juggled three apples     | throw them high
        jump rope         | got stuck in the rope   | jumped twenty times      | count out loud
    """,
    "rules_at_home": """
        dont                   | did                     | then                                   | wise
        touch the hot stove    | touched the stove       | it burned one small finger             | hot things can hurt
        run on the wet floor   | ran on the wet floor    | there was a loud bump                  | wet floors are slippery
        go near the deep river | went close to the river | one foot slipped into the cold water   | rivers can be dangerous
        climb the old ladder   | climbed the old ladder  | a step broke with a crack              | old ladders are not for climbing
        eat the green berries  | ate some green berries  | a bad tummy ache came                  | not every berry is good to eat
        pull the cat's tail    | pulled the cat's tail   | the cat hissed and scratched           | animals have feelings too
        play with matches      | lit a match             | a corner of the rug began to smoke     | fire is not a toy
        open the gate          | opened the gate         | all the sheep ran out                  | gates are closed for a reason
        shake the bees' nest   | shook the nest          | a bee came out and stung               | bees want to be left alone
        jump on the bed        | jumped on the bed       | the bed broke with a crash             | beds are for sleeping
    """,
    "messes": "spilled milk on the floor, left blocks on the stairs, threw socks on the lamp, dropped crumbs in the bed, "
    "painted on the wall, left mud on the rug, put books in the bath",
    "crafts": "card, bracelet, paper crown, picture, puppet, little boat of bark, scarf, paper flower, photo frame, kite",
    "stuck": """
        how                     | free
        caught in a net         | bit the ropes one by one
        stuck in the mud        | laid a path of dry sticks
        stuck between two rocks | pushed a small stone away
        tangled in a thorn bush | pulled out the thorns
        trapped in a deep pit   | showed where the steps were
        lost in the fog         | led the way home
    """,
    "races": "run to the big rock, swim across the pond, climb the hill, jump over the stream, roll down the hill, "
    "hop around the field",
    "treats": "cookies, hot cocoa, apple pie, lemonade, warm bread with honey, a bowl of strawberries, popcorn, pancakes",
    "games": "tag, hide and seek, catch, pirates, house, school, knights, space travel, shop, doctor",
}
