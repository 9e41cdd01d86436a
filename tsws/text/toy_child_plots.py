"""The plots of the toy stories about one child, who mostly gets help from a grown-up or an animal.

``toy_reader.py`` says how a plot is read. A step that may be left out remembers no word that a later one recalls.
"""

from __future__ import annotations

CHILD_PLOTS = {
    "lost_toy": """
        {one_day} {hero} could not find {his} [{colors}|{looks}] {toy=treasures}.
        "[Where is|Has anyone seen] my {toy}?" {hero} asked.
        {He} looked {spot=hiding}. It was not there.
        ? {Hero} looked {hiding}. It was not there either.
        {sad_hero}
        ? {meanwhile}
        ¶
        Then {a beast=finders} came [along|by|up to {him}]. "[Why are you sad|What is wrong|What are you looking for]?" asked the {beast}.
        "I lost my {toy}," {hero} [said|told the {beast}].
        "[Let me help you|I will help you look|I have good eyes]," said the {beast}.
        They looked {spot=finds}. They looked {corner=finds}. [At last|After a while|Soon], the {beast} found the {toy} {finds}.
        {happy_hero}
        {thanks}
        ? {welcome}
        ? From then on, {hero} always put {his} {toy} in {a colors} box.
        {learned} [it is good to ask for help|friends can be found everywhere|four eyes see more than two|we should take care of our things].
    """,
    "stuck_high": """
        {one_day} {hero} took {his} {toy=flyers} to {place=wilds}.
        ? {weather_line}
        Suddenly, [a strong wind came|the wind blew hard|it slipped from {his} hand] and the {toy} got stuck {high}.
        {Hero} [jumped and jumped|stood on {his} toes|threw a stick|tried to climb], but it was too high.
        {sad_hero}
        ? {meanwhile}
        ¶
        Then {a beast=climbers} saw it all. "Do not [cry|worry|be sad]," said the {beast}. "I can [get it|reach it|bring it down] for you."
        The {beast} {beast.way} and [pushed the {toy} down|brought the {toy} back|gave the {toy} a little push].
        ? The {toy} fell right into {his} arms.
        {thanks}
        ? {welcome}
        ? {Hero} and the {beast} played {place.at} all day.
        {learned} [everyone is good at something|nobody can do everything alone|a friend can reach what we can not].
    """,
    "broken_thing": """
        {one_day} {hero} was playing with a ball in the house. "[Please play outside|Be careful|Not in the house]," said {his} {elder=parents}.
        But {hero} did not listen. The ball [bounced|flew|rolled] [too high|too far|too fast] and hit the [{colors}|old|beautiful|big] {thing=breakables}.
        [Crash|Crack|Bang]! The {thing} broke.
        {sad_hero}
        [{He} wanted to hide the pieces|{He} thought about running away|{He} put the pieces {hiding}|{He} wanted to say that the cat did it].
        ? {meanwhile}
        ¶
        Then {he} took a deep breath and went to {his} {elder}. "I broke the {thing}, {elder.name}," {he} said. "I am sorry."
        ? {His} {elder} was quiet for a moment.
        "[I am not angry|I am glad that you told me|Thank you for telling me the truth]," said {his} {elder}. "[We can fix it|We can glue it|Let us clean it up] together."
        So they [got the glue|swept the floor|picked up every piece] and [worked side by side|worked until dinner|did it slowly].
        ? {happy_hero}
        {learned} [it is brave to tell the truth|a lie makes things worse|balls belong outside|everyone makes mistakes].
    """,
    "big_fear": """
        {Hero} was not afraid of [bugs|mice|spiders|heights], but {he} was [very |so |]{afraid} of {fear=fears}.
        {one_day} [{his} friends|the other children|{his} cousins] wanted to {fear.do}. "Come with us!" they said.
        "No," said {hero}. "[I can't|I don't want to|I am too scared]."
        ? {His} knees [were shaking|felt like jelly].
        ? {meanwhile}
        ¶
        {His} {elder=elders} [saw it|sat down beside {him}|took {his} hand]. "When I was [small|your age|little], I was {afraid} too," said {his} {elder}. "[Take a deep breath|Count to three|Think of something nice|Hold my hand]."
        {Hero} [closed {his} eyes|nodded|thought about it|counted to three]. Then {he} {fear.did}.
        {happy_hero}
        ? "[Again|Look at me|I did it]!" {he} [cried|shouted].
        ? "I knew that you could do it," said {his} {elder}.
        {learned} {fear.truth}.
    """,
    "too_many_sweets": """
        {one_day} {hero} saw [a plate|a bowl|a big box|a basket] of {food=sweets} [on the table|in the kitchen|by the window].
        "Take only one," said {his} {elder=elders}. "The {food} are for [the party|after dinner|everyone|your friends]."
        {Hero} ate one. It was [so good|so sweet|yummy]. So {he} ate [two|three|four|five] more, and then [all of them|the whole lot|every last one].
        Soon {his} tummy [hurt|made a funny noise|felt like a stone]. {He} [lay down on the sofa|held {his} belly|turned green|could not even stand].
        {sad_hero}
        ? {meanwhile}
        ¶
        {His} {elder} [came in|saw the empty plate|heard {him}] and said, "[Oh dear!|I see what happened.|Did you eat them all?|Where are the {food}?]"
        "It was me," said {hero}. "I am sorry. I was greedy."
        {His} {elder} gave {him} [some tea|some water|a warm blanket]. [In the evening|The next day|After a long nap], {hero} felt better.
        ? Then {hero} helped to make new {food}, and this time {he} shared them with everyone.
        {learned} [too much of a good thing is not good|it is better to share|one can be enough|it is wise to listen].
    """,
    "hurt_animal": """
        {one_day} {hero} was walking [alone|slowly|with a basket|in {his} {colors} boots] {wilds.at} when {he} heard a [small|sad|strange|soft] sound. It was {a beast=hurt_beasts} with {beast.hurt}.
        ? {weather_line}
        "[Poor little thing|Oh, you are hurt|Don't be afraid]," said {hero}. "I will help you."
        {Hero} [wrapped it in {his} {colors} scarf|carried it home|called {his} mom|ran to get {his} dad].
        {He} gave the {beast} [some|a little] {beast.food} and [made it a warm bed|put it in a box with straw|sang to it|sat with it all night].
        ? Every morning, {he} asked, "How are you today?"
        ? {meanwhile}
        ¶
        After [a few days|a week|two weeks], the {beast} was well again. It was time to [say goodbye|let it go].
        ? {sad_hero}
        But [the next day|a month later|one winter day], {hero} [got lost in the snow|fell into a ditch|lost {his} way in the woods|was all alone]. And who came? It was the {beast}!
        The {beast} [stayed with {him}|led {him} home|called for help] and gave {him} {beast.gift}.
        {happy_hero}
        {learned} [kindness comes back|small friends can be true friends|it is good to care for others|a good deed is never lost].
    """,
    "hard_skill": """
        {Hero} wanted to learn how to {skill=skills}. All {his} friends could do it.
        {one_day} {he} tried, but {he} {skill.trying}. {He} tried again. It did not work.
        {sad_hero}
        ? "I will never learn it!" {he} said and kicked a stone.
        ? {meanwhile}
        ¶
        {His} {elder=elders} [saw it|came over|laughed softly] and said, "[You only need to practise|It takes time|I could not do it at first]. Here is a trick: {skill.part}."
        {Hero} [tried it slowly|tried and tried|practised every day|did not give up]. [The first time|At first], {he} {skill.trying} again. But [the next time|after a week|on the third day], {he} {skill.did}!
        {happy_hero}
        ? {thanks}
        ? Then {hero} showed {his} friend {friend} how to do it too.
        {learned} [practice makes us better|it is good to keep trying|nobody is good at the start|giving up is no way to win].
    """,
    "rule_at_home": """
        "Never {rule=rules_at_home}," {his} {elder=parents} always said.
        But {hero} was [curious|stubborn|a little careless|sure that nothing could happen].
        {one_day} when nobody was looking, {he} {rule.did}. [At once|Suddenly|Then], {rule.then}!
        "[Ouch|Help|Oh no], {elder.name}!" {hero} [cried|shouted|called].
        ? {meanwhile}
        ¶
        {His} {elder} came running and [helped {him}|made it better|took care of it].
        {Hero} looked at {his} [feet|shoes|hands] and said, "I am sorry. [I should have listened|I did not listen|You were right]."
        ? {kind_words}
        "I make rules [to keep you safe|because I love you]," said {his} {elder}. "Will you [listen|remember it] next time?" "[Yes|I promise|I will]," said {hero}.
        {learned} {rule.wise}.
    """,
    "new_child": """
        {one_day} a new [child|kid] came to {his} [school|street|class]. The name of the new child was {friend}.
        {Pal} [stood alone by the wall|did not say a word|sat on a bench|looked at the ground]. Nobody [played with|talked to|looked at] {pal.him}.
        {Hero} remembered how it feels to be alone. {He} [walked over|went up to {pal}|took a deep breath] and said, "[Hi|Hello], I am {hero}. Do you want to play {game=games}?"
        ? {Pal} looked up. {Pal.his} eyes were [wet|big|bright].
        "[I would love to|Yes, please|I don't know how]," said {pal}. [So they played {game}|{Hero} showed {pal.him} how to play {game}] [all day|until the bell rang|until it was dark].
        ? {meanwhile}
        ¶
        ? They laughed so much that the other children came to play too.
        The next day, {pal} brought {hero} {a colors} {thing=treasures}. "This is for you," said {pal}, "because you were [kind|nice|good] to me."
        {happy_hero}
        ? They became best friends.
        {learned} [a kind word can make a friend|it is easy to say hello|new friends can be the best friends|nobody should be alone].
    """,
    "a_gift": """
        It was [almost|nearly] the birthday of {his} {elder=elders}. {Hero} wanted to give {elder.him} a [nice|lovely|special] gift, but {he} had [no money|only one coin|an empty purse].
        {one_day} {he} saw {a looks} {thing=treasures} in a shop. It cost too much.
        {sad_hero}
        ? {meanwhile}
        ¶
        Then {hero} had an idea. {He} took [some paper|some string|old cloth|glue and paint] and made {a craft=crafts}.
        It took [all day|a long time|three days]. [{His} fingers were {colors}|There was glue everywhere|It was a little crooked|It was not perfect].
        On the birthday, {hero} [held it out|put it on the table|hid it behind {his} back] and said, "I made it for you."
        "[Oh, how lovely!|For me?|What a surprise!|You made it?]" said {his} {elder}. "[It is the best {craft} of all|I will keep this {craft} forever|I love it|Nobody has such {a craft}]!"
        ? {Elder.he} gave {hero} a big [hug|kiss].
        {happy_hero}
        {learned} [a gift from the heart is the best|love can not be bought|it does not need money to make someone happy].
    """,
    "the_seed": """
        {one_day} {his} {elder=elders} gave {hero} a [tiny|small|funny|hard] {plant=seeds} seed. "[Give it water|Give it sun and water|Take good care of it] and wait," said {his} {elder}.
        {Hero} put the seed into [a pot|the ground|the soil behind the house] and watered it.
        The next day, {he} looked. There was nothing. {He} looked [every morning|every hour|again and again]. [Still|There was still] nothing.
        ? "[Grow|Hurry up|Wake up], little seed!" {he} said.
        {sad_hero}
        ? {meanwhile}
        ¶
        "Be patient," said {his} {elder}. "[Good things take time|The seed is sleeping|It is working under the ground]." So {hero} [waited|waited and watered|sang to it every day].
        One {weather} {times}, a little green leaf came out! It grew and grew. By [summer|autumn|the end of the year], it was {plant.grown}.
        {happy_hero}
        ? {Hero} gave some of it to {his} neighbors.
        {learned} [good things take time|it is worth waiting|little things can become big|care makes things grow].
    """,
    "lost_child": """
        {one_day} {hero} went to {place=crowded} with {his} {elder=elders}. "Stay close to me," said {his} {elder}.
        ? {weather_line}
        But then {hero} saw {a thing=sights}. {He} [ran to see it|followed it|stopped to look] [and forgot everything else|for a long time].
        When {he} turned around, {his} {elder} was gone. There were only [strangers|legs and bags|people {he} did not know].
        {sad_hero}
        ? "[Where are you?|Come back!|I am here!|Help!]" {he} called.
        ? {meanwhile}
        ¶
        A [woman|man] in {a colors} [coat|hat|uniform] saw {him} and asked, "Are you lost?" "Yes," said {hero}. "I can't find my {elder}."
        "[Stay here|Let us wait here|Don't run around]," said the stranger. "[Your {elder} will come back|We will call for {elder.him}|They will look for you here]."
        Soon {his} {elder} came running. {Elder.he} [hugged {hero} tightly|had tears in {elder.his} eyes|was so glad]. "I was so worried!" {elder.he} said.
        ? "I am sorry that I ran away," said {hero}.
        ? Then they looked at the {thing} together.
        {learned} [it is safe to stay close|one should stay in one place when lost|there are kind people everywhere].
    """,
    "the_mess": """
        {Hero} never cleaned up. {He} {mess=messes}. {He} also {messes}.
        "Please clean up," said {his} {elder=parents}. "[Later|Tomorrow|Not now]," said {hero}.
        {one_day} {hero} wanted to play with {his} {toy=toys}, but {he} could not find it in the mess. {He} [slipped on a block|fell over a shoe|hit {his} toe on a truck].
        {sad_hero}
        ? {meanwhile}
        ¶
        "Shall we do it together, {hero}?" asked {his} {elder}. {Hero} nodded. They put the [books on the shelf|socks in the drawer|blocks in the box] and [wiped the floor|made the bed|opened the window].
        And what was {hiding}? The {toy}!
        {happy_hero}
        ? "Thank you, {elder.name}," {hero} said. "My room looks [nice|big|new] now."
        {learned} [a clean room makes life easy|things are easy to find in a tidy room|work is faster together].
    """,
    "rainy_day": """
        {one_day} it was raining [hard|all day|cats and dogs|on and on]. {Hero} could not go to {places}.
        "I am bored," {he} said. {He} looked out of the window and [sighed|counted the drops|made a sad face].
        ? {meanwhile}
        ¶
        {His} {elder=elders} brought [a big box|two chairs and a blanket|an old sheet|some pillows] and said, "This is not just [a box|a blanket|a thing]. It is a [ship|castle|rocket|cave|train]!"
        {Hero} [laughed|clapped {his} hands|jumped up]. They played {games} [for hours|all afternoon|until dinner].
        ? They even had a {toys} on board.
        Then the [rain|storm] stopped, and there was a [rainbow|bright sun] in the sky. But {hero} did not want to go outside!
        ? "[One more time|Please, again|Let us go on]!" {he} said.
        {happy_hero}
        {learned} [a rainy day can be fun|you can play with anything|the best toy is in your head].
    """,
    "cooking": """
        {one_day} {hero} and {his} {elder=elders} wanted to make {dish=dishes} for [dinner|a party|the neighbors|a sick friend]. They put in [salt|onions|flour|milk], [red|green|yellow|little] [peppers|beans|apples] and [a lot of love|a bit of butter|some water].
        "[Stir it slowly|Watch the pot|Don't add more salt]," said {his} {elder} and went to [the door|the garden|the phone].
        But {hero} [added more salt|put in a whole jar of pepper|went to play|made the fire too hot]. When they tasted the {dish}, it was [awful|terrible|too salty|black].
        {sad_hero}
        ? {meanwhile}
        ¶
        "I did it," {hero} said [quietly|with red cheeks|in a small voice]. {His} {elder} did not shout. "[Every cook makes mistakes|Now we know how not to do it|The dog will like it]," {elder.he} said. "Let us start again."
        This time {hero} [stirred slowly|watched the pot|did as {he} was told]. The new {dish} was [delicious|so good|yummy], and [the whole family|{his} hungry cousins|even the neighbors|everybody] ate every bit of it.
        {happy_hero}
        {learned} [we can always try again|mistakes help us learn|good food needs care|it is right to say what we did].
    """,
}
